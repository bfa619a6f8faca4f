"""What proves the speed: a load client, floors, peers, and scenarios that compare them."""
