"""How messages leave: mail over SMTP, and signed webhooks over HTTP; knows no database and no store."""
