"""The WSGI application that gunicorn serves."""

from portal.serving import django

# After Django is set up: they need its apps.
from pypi.held_answers import HeldAnswers
from pypi.hot_lane import HotLane
from repos.lease import Lease
from repos.stamp_questions import StampsInDatabase

stamps = StampsInDatabase()
application = HotLane(django, Lease(stamps, begin=stamps.begin), HeldAnswers())
