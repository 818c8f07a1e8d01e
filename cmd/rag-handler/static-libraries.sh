#!/bin/sh
# Builds what the handlers' one static file needs and the distribution has only as shared or too
# large a library: libcurl with nothing but HTTP and HTTPS, libpq with TLS and nothing more, and
# cJSON. From the distribution's own source packages, whose signatures apt checks. Needs no root; leaves apt's own state alone.
#
# usage: static-libraries.sh FOLDER CC     fills FOLDER/include and FOLDER/lib
set -eu
[ $# = 2 ] || { echo "usage: $0 FOLDER CC" >&2; exit 64; }
cc=$2
mkdir -p "$1"
folder=$(cd "$1" && pwd)
work=$folder/work
rm -rf "$work"
mkdir -p "$work/lists/partial" "$work/archives/partial" "$folder/include/curl" \
    "$folder/include/cjson" "$folder/lib"

fail() {
    echo "static-libraries: $1" >&2
    exit 1
}

# -- sources --

private_apt() {
    apt-get -qq -o APT::Sandbox::User= -o Acquire::Languages=none \
        -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=- \
        -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work" "$@"
}

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e "$keyring" ] || keyring=/usr/share/keyrings/ubuntu-archive-keyring.gpg
[ -e "$keyring" ] || fail "neither Debian's nor Ubuntu's archive keyring is here"
apt-get indextargets --format '$(ORIGIN) $(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    sort -u | while read -r origin site release component; do
    case $origin in
    Debian | Ubuntu) echo "deb-src [signed-by=$keyring] $site $release $component" ;;
    esac
done >"$work/sources.list"
[ -s "$work/sources.list" ] || fail "apt knows no source of this distribution: run apt-get update"

cd "$work"
private_apt update || fail "the source lists cannot be fetched"

# The newest version whose files the mirror has.
fetch() {
    for version in $(versions "$1"); do
        if private_apt source "$1=$version" >"$work/fetch.log" 2>&1; then return 0; fi
    done
    tail -5 "$work/fetch.log" >&2
    fail "the source of $1 cannot be fetched"
}
versions() {
    apt-cache -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=- \
        -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work" showsrc "$1" |
        sed -n 's/^Version: //p' | sort -urV
}
postgresql=$(apt-cache depends postgresql | sed -n 's/^ *Depends: \(postgresql-[0-9]*\)$/\1/p')
fetch curl
fetch cjson
fetch "${postgresql:-postgresql-15}"

# -- cJSON --

cd "$work"/cjson-*/
$cc -O2 -ffunction-sections -fdata-sections -c cJSON.c -o "$work/cJSON.o"
ar rcs "$folder/lib/libcjson.a" "$work/cJSON.o"
cp cJSON.h "$folder/include/cjson/"

# -- libcurl --

cd "$work"/curl-*/
host=$($cc -dumpmachine)
[ -x configure ] || fail "curl's source package has no configure"
./configure --host="$host" CC="$cc" CFLAGS='-O2 -ffunction-sections -fdata-sections' \
    --prefix="$folder" --disable-shared --enable-static --with-openssl --enable-ares \
    --disable-ftp --disable-file --disable-ldap --disable-ldaps --disable-rtsp --disable-dict \
    --disable-telnet --disable-tftp --disable-pop3 --disable-imap --disable-smb --disable-smtp \
    --disable-gopher --disable-mqtt --disable-manual --disable-libcurl-option --disable-netrc \
    --disable-ntlm --disable-ntlm-wb --disable-tls-srp --disable-alt-svc --disable-hsts \
    --disable-cookies --disable-mime --disable-progress-meter --disable-dateparse \
    --disable-doh --disable-dnsshuffle --disable-unix-sockets --without-libpsl --without-libidn2 \
    --without-zlib --without-brotli --without-zstd --without-nghttp2 --without-nghttp3 \
    --without-ngtcp2 --without-libssh2 --without-librtmp --without-gssapi --without-libgsasl \
    --with-ca-bundle=/etc/pki/tls/certs/ca-bundle.crt --without-ca-path \
    >"$work/configure.log" 2>&1 ||
    { tail -5 "$work/configure.log" >&2; fail "curl cannot be configured; is libc-ares-dev here?"; }
make -s -C lib -j2 install >"$work/make.log" 2>&1 ||
    { tail -5 "$work/make.log" >&2; fail "libcurl cannot be compiled"; }
make -s -C include install >>"$work/make.log" 2>&1

# -- libpq --

cd "$work"/postgresql-*/
./configure --host="$host" CC="$cc" CFLAGS='-O2 -ffunction-sections -fdata-sections' \
    --prefix="$folder" --with-openssl --without-readline --without-zlib --without-icu \
    --without-gssapi --without-ldap --without-pam --without-systemd --disable-nls \
    ac_cv_file__dev_urandom=yes >"$work/pq-configure.log" 2>&1 ||
    { tail -5 "$work/pq-configure.log" >&2; fail "libpq cannot be configured"; }
for target in "src/backend generated-headers" "src/port libpgport.a" "src/common libpgcommon.a" "src/interfaces/libpq all-static-lib"; do
    make -s -C ${target% *} -j2 "${target#* }" >"$work/pq-make.log" 2>&1 ||
        { tail -5 "$work/pq-make.log" >&2; fail "libpq cannot be compiled"; }
done
cp src/interfaces/libpq/libpq.a src/common/libpgcommon.a src/port/libpgport.a "$folder/lib/"
cp src/interfaces/libpq/libpq-fe.h src/include/postgres_ext.h src/include/pg_config_ext.h \
    "$folder/include/"
rm -rf "$work" "$folder/lib/"*.la "$folder/lib/pkgconfig"
