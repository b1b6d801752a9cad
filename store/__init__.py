"""SQL and files. Functions take a session and never commit: the caller owns the transaction."""
