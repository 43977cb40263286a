"""All parts of a deployment together for some minutes, while servers go away and processes are killed."""
