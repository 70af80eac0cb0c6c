"""The reference: the same form as a competent team would first write it, on Django and DRF.

As startproject and the tutorials have it: ModelSerializer, CreateAPIView, a connection pool, a
Celery task on commit. Nothing is left out to make it slow.
"""
