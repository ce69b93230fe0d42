"""The environment that tests and type checks run in: complete, safe and fixed."""

import base64

TEST_ENVIRONMENT = {
    "SECRET_KEY": "only-for-tests-" + "x" * 50,
    "ENCRYPTION_KEYS": "test:" + base64.b64encode(bytes(range(32))).decode(),
    "ALLOWED_HOSTS": "testserver,127.0.0.1,localhost",
    "REDIS_URL": "redis://127.0.0.1:1/0",  # nobody answers there: a test must not need a broker
    "RAMP_API_URL": "http://127.0.0.1:1",
    "RAMP_EGRESS": "test",
    "PUBLIC_URL": "http://testserver",
    "SUPPORT_CONTACT": "support@integrator.example",
    "WEBHOOK_BASE_URL": "http://testserver",
}
