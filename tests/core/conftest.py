"""Property tests judge results, not the machine's speed."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "voxline", deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)
settings.load_profile("voxline")
