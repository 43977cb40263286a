"""Property-based tests here run beside others on few cores: what takes long is no failure."""

from hypothesis import settings

settings.register_profile("shared_cores", deadline=None)
settings.load_profile("shared_cores")
