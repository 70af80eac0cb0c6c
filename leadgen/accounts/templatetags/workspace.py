"""What the workspace's templates need beside Django's own filters."""

from django import template

from leadgen.accounts import display

register = template.Library()
register.filter("ago", display.ago)
