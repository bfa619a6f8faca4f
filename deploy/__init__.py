"""What runs Rostrum and the things it stands on."""
