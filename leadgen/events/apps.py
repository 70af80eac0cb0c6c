from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "leadgen.events"
    label = "events"
