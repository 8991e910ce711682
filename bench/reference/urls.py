from rest_framework.routers import SimpleRouter

from bench.reference.views import CustomerViewSet

router = SimpleRouter(trailing_slash=False)
router.register("v1/customers", CustomerViewSet)
urlpatterns = router.urls
