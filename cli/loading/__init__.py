"""`rostrum load`: followers and posts in processes of their own, and the judgement of what came.

The command's process makes channels, starts workers, shows what they count and adds up what they
judge. A worker follows and posts; it knows nothing that another one needs until all posts ended.
"""
