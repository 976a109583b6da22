from __future__ import annotations

DEBUG = True
SECRET_KEY = "an example"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "chat.urls"
INSTALLED_APPS = ["registry_core.devserver.django.RegistryCoreConfig"]
