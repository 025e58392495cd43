"""The commands of `imprint`: each turns words on a command line into calls of the workspace, and results into
text or JSON. They decide nothing.
"""
