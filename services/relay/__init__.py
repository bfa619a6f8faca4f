"""The newest entries of busy channels, and pages of the others, for all gateways."""
