/* A stand-in for the NVIDIA driver's libraries (NVML and CUDA in one file), for tests on machines without a GPU.
   STAND_IN_GPUS: how many GPUs NVML lists. STAND_IN_DEAD: numbers among them that CUDA cannot open, as in "13".
   STAND_IN_LOST: numbers that NVML itself cannot reach. STAND_IN_SLICES: CUDA lists one device with another UUID.
   STAND_IN_INIT: what cuInit returns. STAND_IN_HANGS: cuInit never returns. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int number(const char *name, int otherwise) {
    const char *text = getenv(name);
    return text && *text ? atoi(text) : otherwise;
}

static int listed(const char *name, int gpu) {
    const char *text = getenv(name);
    return text && strchr(text, '0' + gpu) != NULL;
}

int nvmlInit_v2(void) { return number("STAND_IN_GPUS", -1) < 0 ? 9 : 0; }

const char *nvmlErrorString(int code) { return code == 9 ? "Driver Not Loaded" : "GPU is lost"; }

int nvmlDeviceGetCount_v2(unsigned *count) { *count = number("STAND_IN_GPUS", 0); return 0; }

int nvmlDeviceGetHandleByIndex_v2(unsigned gpu, void **handle) {
    *handle = (void *)(size_t)(gpu + 1);
    return listed("STAND_IN_LOST", gpu) ? 15 : 0;
}

int nvmlDeviceGetUUID(void *handle, char *text, unsigned size) {
    snprintf(text, size, "GPU-%08x-0000-4000-8000-000000000000", (unsigned)(size_t)handle - 1);
    return 0;
}

int cuDriverGetVersion(int *version) { *version = 11060; return 0; }

int cuGetErrorString(int code, const char **text) {
    *text = code == 100 ? "no CUDA-capable device is detected" : "unknown error";
    return 0;
}

int cuInit(unsigned flags) {
    (void)flags;
    while (getenv("STAND_IN_HANGS")) pause();
    return number("STAND_IN_INIT", number("STAND_IN_GPUS", -1) < 0 ? 100 : 0);
}

int cuDeviceGetCount(int *count) {
    *count = 0;
    for (int gpu = 0; gpu < number("STAND_IN_GPUS", 0); gpu++)
        *count += !listed("STAND_IN_DEAD", gpu) && !listed("STAND_IN_LOST", gpu);
    if (getenv("STAND_IN_SLICES")) *count = 1;
    return 0;
}

int cuDeviceGet(int *device, int ordinal) {
    int gpu = 0;
    for (;; gpu++)
        if (!listed("STAND_IN_DEAD", gpu) && !listed("STAND_IN_LOST", gpu) && ordinal-- == 0) break;
    *device = getenv("STAND_IN_SLICES") ? 0xab : gpu;
    return 0;
}

int cuDeviceGetUuid(unsigned char *bytes, int device) {
    memset(bytes, 0, 16);
    bytes[3] = device, bytes[6] = 0x40, bytes[8] = 0x80;
    return 0;
}

int cuDeviceGetAttribute(int *value, int attribute, int device) {
    (void)device;
    *value = attribute == 75 ? 8 : 0;
    return 0;
}
