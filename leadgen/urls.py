"""Every address that Django answers; the public capture paths are answered before it (asgi.py)."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("", include("leadgen.operations.urls")),
    path("", include("leadgen.workspace.login.urls")),
    path("admin/", admin.site.urls),
]
handler400 = "leadgen.operations.error_page.bad_request"
handler403 = "leadgen.operations.error_page.forbidden"
handler404 = "leadgen.operations.error_page.not_found"
handler429 = "leadgen.workspace.login.refusals.too_many_requests"
handler500 = "leadgen.operations.error_page.page"
