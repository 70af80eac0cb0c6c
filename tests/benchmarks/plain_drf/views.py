from functools import partial

from django.db import transaction
from rest_framework.generics import CreateAPIView
from rest_framework.permissions import AllowAny
from rest_framework.serializers import BaseSerializer

from tests.benchmarks.plain_drf.models import Lead
from tests.benchmarks.plain_drf.serializers import LeadSerializer
from tests.benchmarks.plain_drf.tasks import process_lead


class CreateLead(CreateAPIView):
    queryset = Lead.objects.all()
    serializer_class = LeadSerializer
    permission_classes = [AllowAny]

    def perform_create(self, serializer: BaseSerializer) -> None:
        with transaction.atomic():
            lead = serializer.save()
            transaction.on_commit(partial(process_lead.delay, str(lead.pk)))
