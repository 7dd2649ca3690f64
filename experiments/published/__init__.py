"""Published protocols rerun: their clinical treatments, their learners' tasks, their numbers beside ours."""
