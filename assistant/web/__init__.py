"""What stands between a network and the pages or the HTTP interface: hosts, origins, the token, limits, headers."""
