"""Session: accounts, sign-in, devices and the tokens that prove them."""
