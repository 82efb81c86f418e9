import os

from hypothesis import settings

# no deadline: a slow machine is no failure; in CI the same examples on every run
settings.register_profile("glassgrad", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("glassgrad")
