"""The API's own description driven against the service that it describes, by schemathesis."""
