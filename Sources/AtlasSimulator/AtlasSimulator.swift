// AtlasSimulator
