"""Training with Lightning: the module, augmentation, schedules, metrics and fine-tuning."""
