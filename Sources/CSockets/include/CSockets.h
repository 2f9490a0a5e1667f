#ifndef ATLAS_RECORDER_CSOCKETS_H
#define ATLAS_RECORDER_CSOCKETS_H
int csockets_probe(void);
#endif
