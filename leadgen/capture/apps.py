from django.apps import AppConfig


class CaptureConfig(AppConfig):
    name = "leadgen.capture"
    label = "capture"
