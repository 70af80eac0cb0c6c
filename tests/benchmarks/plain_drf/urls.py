from django.urls import path

from tests.benchmarks.plain_drf.views import CreateLead

urlpatterns = [path("api/leads/", CreateLead.as_view())]
