"""The Django admin in Larder's dress, for whoever may enter it by our rules."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig


class LarderAdminSite(AdminSite):
    """Django's own admin; Permission and Group are not used."""

    site_header = "larder"
    site_title = "Larder"
    index_title = "Administration"
    enable_nav_sidebar = True


class LarderAdminConfig(AdminConfig):
    """Registers the admin with our site in place of Django's."""

    default_site = "portal.admin_site.LarderAdminSite"
