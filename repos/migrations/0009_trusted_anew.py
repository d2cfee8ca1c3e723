from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("repos", "0008_what_publishers_are_kept_by"),
    ]

    operations = [
        migrations.AddField(
            model_name="trustedpublisher",
            name="trusted_anew_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
