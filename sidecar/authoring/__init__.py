"""Policy as text: packs in folders, their stories, and the policy set in force."""
