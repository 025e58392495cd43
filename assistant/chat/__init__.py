"""One turn: retrieve → fit the window → prompt → stream → keep."""
