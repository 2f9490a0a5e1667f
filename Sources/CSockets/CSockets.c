#include "CSockets.h"
int csockets_probe(void) { return 0; }
