"""The services' own code on a loop ruled by a seed, over a log and a Redis that fail.

One seed is one history: two instances each of chat, relay, gateway and the directory's writers, and
people who post and read, on virtual time. What goes wrong, and when, the seed decides.
"""
