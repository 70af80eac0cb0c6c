from rest_framework import serializers

from tests.benchmarks.plain_drf.models import Lead


class LeadSerializer(serializers.ModelSerializer):
    class Meta:
        model = Lead
        fields = "__all__"
