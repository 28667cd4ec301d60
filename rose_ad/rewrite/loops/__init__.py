"""The last stage of the schedule: loops joined, parted and cut as suits the machine."""
