// RecorderStore
