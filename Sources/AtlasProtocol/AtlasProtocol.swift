// AtlasProtocol
