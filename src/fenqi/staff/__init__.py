"""The room of staff: accounts with roles, sessions, and the log of every console action with its reason."""

from fenqi.staff.account import change_account, get, get_all, hire
from fenqi.staff.audit import audit, audits, check_may
from fenqi.staff.model import Action, Audit, Member, Role, SignedIn
from fenqi.staff.sign_in import check_session, sign_in, sign_out

__all__ = [
    "Action",
    "Audit",
    "Member",
    "Role",
    "SignedIn",
    "audit",
    "audits",
    "change_account",
    "check_may",
    "check_session",
    "get",
    "get_all",
    "hire",
    "sign_in",
    "sign_out",
]
