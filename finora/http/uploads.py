"""Files that come with a form: in memory, from staff, within the bound of a page's body."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.core.files.uploadhandler import MemoryFileUploadHandler


class StaffUploadHandler(MemoryFileUploadHandler):
    """Refuses where Django's would go on to the next handler, which writes to disk.

    Raises PermissionDenied for anybody who is not logged in, RequestDataTooBig for what is larger
    than FILE_UPLOAD_MAX_MEMORY_SIZE.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        user = getattr(self.request, "user", None)
        if user is None or not user.is_authenticated:
            raise PermissionDenied
        if not self.activated:
            raise RequestDataTooBig
        super().new_file(*args, **kwargs)
