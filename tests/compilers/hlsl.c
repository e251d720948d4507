/* Compiles HLSL files with a Windows compiler and tells how long each took; runs under Wine as well.
 *
 *   x86_64-w64-mingw32-gcc -O1 -o hlsl.exe hlsl.c
 *   hlsl.exe dxcompiler.dll cs_6_0 FILE...       DXC; cs_6_2 for kernels with 16-bit floats
 *   hlsl.exe d3dcompiler_47.dll cs_5_1 FILE...   FXC, called as wgpu does
 *
 * One line a file: its path, seconds, bytes of code (0: refused), and the compiler's message, separated by tabs.
 */
#define COBJMACROS
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

/* ID3DBlob and IDxcBlob have the same methods in the same order. */
typedef struct Blob Blob;
struct Blob {
    struct {
        HRESULT(STDMETHODCALLTYPE *query)(Blob *, const GUID *, void **);
        ULONG(STDMETHODCALLTYPE *add_ref)(Blob *);
        ULONG(STDMETHODCALLTYPE *release)(Blob *);
        void *(STDMETHODCALLTYPE *pointer)(Blob *);
        SIZE_T(STDMETHODCALLTYPE *size)(Blob *);
    } *methods;
};

/* IDxcResult, as far as it is needed here. */
typedef struct Result Result;
struct Result {
    struct {
        HRESULT(STDMETHODCALLTYPE *query)(Result *, const GUID *, void **);
        ULONG(STDMETHODCALLTYPE *add_ref)(Result *);
        ULONG(STDMETHODCALLTYPE *release)(Result *);
        HRESULT(STDMETHODCALLTYPE *status)(Result *, HRESULT *);
        HRESULT(STDMETHODCALLTYPE *code)(Result *, Blob **);
        HRESULT(STDMETHODCALLTYPE *errors)(Result *, Blob **);
    } *methods;
};

typedef struct {
    const void *pointer;
    SIZE_T size;
    UINT encoding;
} Source;

/* IDxcCompiler3, as far as it is needed here. */
typedef struct Compiler Compiler;
struct Compiler {
    struct {
        HRESULT(STDMETHODCALLTYPE *query)(Compiler *, const GUID *, void **);
        ULONG(STDMETHODCALLTYPE *add_ref)(Compiler *);
        ULONG(STDMETHODCALLTYPE *release)(Compiler *);
        HRESULT(STDMETHODCALLTYPE *compile)
        (Compiler *, const Source *, LPCWSTR *, UINT32, void *, const GUID *, void **);
    } *methods;
};

typedef HRESULT(WINAPI *CreateInstance)(const GUID *, const GUID *, void **);
typedef HRESULT(WINAPI *CompileOld)(
    const void *, SIZE_T, const char *, const void *, void *, const char *, const char *, UINT, UINT, Blob **, Blob **);

static const GUID dxc_compiler = {0x73e22d93, 0xe6ce, 0x47f3, {0xb5, 0xbf, 0xf0, 0x66, 0x4f, 0x39, 0xc1, 0xb0}};
static const GUID dxc_compiler3 = {0x228b4687, 0x5a6a, 0x4730, {0x90, 0x0c, 0x97, 0x02, 0xb2, 0x20, 0x3f, 0x54}};
static const GUID dxc_result = {0x58346cda, 0xdde7, 0x4497, {0x94, 0x61, 0x6f, 0x87, 0xaf, 0x5e, 0x06, 0x59}};

static CompileOld fxc;
static Compiler *dxc;

static int load(const char *library) {
    HMODULE module = LoadLibraryA(library);
    if (!module) return 0;
    fxc = (CompileOld)(uintptr_t)GetProcAddress(module, "D3DCompile");
    if (fxc) return 1;
    CreateInstance create = (CreateInstance)(uintptr_t)GetProcAddress(module, "DxcCreateInstance");
    return create && SUCCEEDED(create(&dxc_compiler, &dxc_compiler3, (void **)&dxc));
}

static void compile(const char *path, const void *text, SIZE_T size, const char *model, Blob **code, Blob **errors) {
    if (fxc) {
        const UINT strictness = 1 << 11;
        fxc(text, size, path, NULL, NULL, "main", model, strictness, 0, code, errors);
        return;
    }
    wchar_t wide_model[16];
    MultiByteToWideChar(CP_UTF8, 0, model, -1, wide_model, 16);
    LPCWSTR flags[] = {L"-E", L"main", L"-T", wide_model, L"-HV", L"2018", L"-enable-16bit-types"};
    // Models are named as in cs_6_2.
    UINT32 count = strcmp(model + 3, "6_2") < 0 ? 6 : 7;
    Source source = {text, size, CP_UTF8};
    Result *result = NULL;
    HRESULT status = E_FAIL;
    if (FAILED(dxc->methods->compile(dxc, &source, flags, count, NULL, &dxc_result, (void **)&result))) return;
    result->methods->status(result, &status);
    if (SUCCEEDED(status)) result->methods->code(result, code);
    else result->methods->errors(result, errors);
    result->methods->release(result);
}

int main(int count, char **arguments) {
    if (count < 4 || !load(arguments[1])) {
        fprintf(stderr, "usage: hlsl.exe LIBRARY MODEL FILE...; the library has to be found\n");
        return 2;
    }
    LARGE_INTEGER ticks, before, after;
    QueryPerformanceFrequency(&ticks);
    for (int i = 3; i < count; i++) {
        FILE *file = fopen(arguments[i], "rb");
        if (!file) {
            fprintf(stderr, "%s cannot be read\n", arguments[i]);
            return 2;
        }
        fseek(file, 0, SEEK_END);
        long size = ftell(file);
        rewind(file);
        char *text = calloc(1, (size_t)size + 1);
        size_t length = fread(text, 1, (size_t)size, file);
        fclose(file);
        Blob *code = NULL, *errors = NULL;
        QueryPerformanceCounter(&before);
        compile(arguments[i], text, length, arguments[2], &code, &errors);
        QueryPerformanceCounter(&after);
        double seconds = (double)(after.QuadPart - before.QuadPart) / (double)ticks.QuadPart;
        printf("%s\t%.3f\t%lu\t", arguments[i], seconds, code ? (unsigned long)code->methods->size(code) : 0UL);
        if (!code && errors) {
            const char *message = errors->methods->pointer(errors);
            printf("%.300s", message);
        }
        printf("\n");
        fflush(stdout);
        if (code) code->methods->release(code);
        if (errors) errors->methods->release(errors);
        free(text);
    }
    return 0;
}
