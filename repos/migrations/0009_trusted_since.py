"""When somebody is trusted anew, it is since then, and no longer since the publisher was added."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ("repos", "0008_what_publishers_are_kept_by"),
    ]

    operations = [
        migrations.RenameField(
            model_name="trustedpublisher", old_name="created_at", new_name="trusted_since"
        ),
    ]
