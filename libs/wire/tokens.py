"""What session signs and the gateway checks: the fixed parts of an access token (a JWT)."""

ALGORITHM = "EdDSA"
TYP = "at+jwt"
ISSUER = "rostrum"
AUDIENCE = "rostrum"
# A stolen token is worth at most this long; a revocation must be remembered as long.
LIFE_S_MAX = 600
