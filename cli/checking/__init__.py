"""What `rostrum check` looks at, a module for each part of a deployment."""
