"""The WSGI application that gunicorn serves, read in before any of its processes are there."""

from portal.serving import django

# After Django is set up: they need its apps.
import portal.urls  # noqa: F401  # isort: skip - all views: nobody waits for them later
from packages import storage
from pypi.held_answers import HeldAnswers
from pypi.hot_lane import HotLane
from repos.lease import Lease

storage.read_in()
application = HotLane(django, Lease.in_database(), HeldAnswers())
