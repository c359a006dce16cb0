"""``notebook``: the chapter as a notebook for one backend."""
