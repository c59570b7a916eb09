"""All SQL of the policy room: versions with their saves and history, and what shadows have counted."""
