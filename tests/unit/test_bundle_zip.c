#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>
#include <zip.h>

#include "pkg/base/attributes.h"
#include "pkg/bundle/bundle.h"

struct fixture {
    char folder[64];
    char program[100], certificates[100], first[100], second[100];
};

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/ragstack-test-bundle-XXXXXX");
    if (!mkdtemp(fixture->folder))
        return -1;
    snprintf(fixture->program, sizeof fixture->program, "%s/program", fixture->folder);
    snprintf(fixture->certificates, sizeof fixture->certificates, "%s/ca", fixture->folder);
    snprintf(fixture->first, sizeof fixture->first, "%s/1.zip", fixture->folder);
    snprintf(fixture->second, sizeof fixture->second, "%s/2.zip", fixture->folder);
    write_file(fixture->program, "the program, the program, the program");
    write_file(fixture->certificates, "certificates");
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    const char *files[] = {fixture->program, fixture->certificates, fixture->first,
                           fixture->second};
    for (size_t i = 0; i < COUNT_OF(files); i++)
        unlink(files[i]);
    int result = rmdir(fixture->folder); /* nothing else is left there */
    free(fixture);
    return result;
}

static size_t read_file(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t length = fread(out, 1, size, file);
    fclose(file);
    return length;
}

static void entries_are_sorted_executable_and_of_one_date(void **state)
{
    struct fixture *fixture = *state;
    struct bundle_file files[] = {{"lib/ca.pem", fixture->certificates},
                                  {"bootstrap", fixture->program}};
    struct error error = {0};
    assert_int_equal(bundle_write(files, 2, fixture->first, &error), 0);
    zip_t *zip = zip_open(fixture->first, ZIP_RDONLY, NULL);
    assert_non_null(zip);
    assert_int_equal(zip_get_num_entries(zip, 0), 2);
    assert_string_equal(zip_get_name(zip, 0, 0), "bootstrap");
    assert_string_equal(zip_get_name(zip, 1, 0), "lib/ca.pem");
    for (zip_uint64_t i = 0; i < 2; i++) {
        zip_uint8_t system;
        zip_uint32_t attributes;
        zip_stat_t status;
        zip_file_get_external_attributes(zip, i, 0, &system, &attributes);
        assert_int_equal(system, ZIP_OPSYS_UNIX);
        assert_int_equal(attributes >> 16, S_IFREG | 0755);
        assert_int_equal(zip_stat_index(zip, i, 0, &status), 0);
        struct tm date;
        localtime_r(&status.mtime, &date);
        assert_int_equal(date.tm_year, 80);
        assert_int_equal(date.tm_yday, 0);
    }
    char text[100] = "";
    zip_file_t *entry = zip_fopen(zip, "bootstrap", 0);
    assert_int_equal(zip_fread(entry, text, sizeof text), 37);
    assert_string_equal(text, "the program, the program, the program");
    zip_fclose(entry);
    zip_discard(zip);
}

static void the_same_files_give_the_same_bytes(void **state)
{
    struct fixture *fixture = *state;
    struct bundle_file files[] = {{"bootstrap", fixture->program},
                                  {"lib/ca.pem", fixture->certificates}};
    struct bundle_file turned[] = {files[1], files[0]};
    struct error error = {0};
    char first[4096], second[4096];
    setenv("TZ", "UTC", 1);
    assert_int_equal(bundle_write(files, 2, fixture->first, &error), 0);
    setenv("TZ", "Asia/Tokyo", 1);
    chmod(fixture->program, 0600);
    utime(fixture->program, &(struct utimbuf){1500000000, 1500000000});
    assert_int_equal(bundle_write(turned, 2, fixture->second, &error), 0);
    unsetenv("TZ");
    size_t length = read_file(fixture->first, first, sizeof first);
    assert_int_equal(read_file(fixture->second, second, sizeof second), length);
    assert_memory_equal(first, second, length);
    assert_int_equal(bundle_write(files, 1, fixture->second, &error), 0); /* replaces it */
    assert_true(read_file(fixture->second, second, sizeof second) < length);
}

static void nothing_is_written_when_a_file_is_missing(void **state)
{
    struct fixture *fixture = *state;
    struct bundle_file files[] = {{"bootstrap", fixture->program}, {"ca", "/nowhere/ca"}};
    struct error error;
    assert_int_equal(bundle_write(files, 2, fixture->first, &error), ERR_NOT_FOUND);
    assert_string_equal(error.message, "/nowhere/ca: No such file or directory");
    assert_int_equal(access(fixture->first, F_OK), -1);
    assert_int_equal(bundle_write(files, 1, "/nowhere/out.zip", &error), ERR_FAILED);
    assert_non_null(strstr(error.message, "/nowhere/out.zip: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(entries_are_sorted_executable_and_of_one_date, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_same_files_give_the_same_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_written_when_a_file_is_missing, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
