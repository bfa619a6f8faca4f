"""The suite as its users meet it: started as a process, spoken to over sockets, killed."""
