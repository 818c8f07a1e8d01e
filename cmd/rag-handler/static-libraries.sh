#!/bin/sh
# Gathers what the handlers' one static file is linked with, for the processor that CC compiles for:
# OpenSSL, c-ares and expat as the distribution has them; and what it has only as shared or too large
# a library, built from its source packages: libcurl with nothing but HTTP and HTTPS, libpq with TLS
# and nothing more, and cJSON. apt checks all signatures. Needs no root; leaves apt's own state alone.
#
# usage: static-libraries.sh FOLDER CC     fills FOLDER/include and FOLDER/lib
set -eu
[ $# = 2 ] || { echo "usage: $0 FOLDER CC" >&2; exit 64; }
cc=$2
# What our own make was told (DESTDIR, CFLAGS, -j) is not for the makes of the libraries.
unset MAKEFLAGS MAKEOVERRIDES MFLAGS DESTDIR PREFIX
triplet=$($cc -dumpmachine)
case $triplet in
x86_64-*) architecture=amd64 ;;
aarch64-*) architecture=arm64 ;;
*) echo "static-libraries: no function runs on $triplet" >&2; exit 1 ;;
esac
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

# -- packages and sources --

private_apt() {
    apt-get -qq -o APT::Sandbox::User= -o Acquire::Languages=none \
        -o APT::Architecture=$architecture -o APT::Architectures=$architecture \
        -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=- \
        -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work" "$@"
}

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e "$keyring" ] || keyring=/usr/share/keyrings/ubuntu-archive-keyring.gpg
[ -e "$keyring" ] || fail "neither Debian's nor Ubuntu's archive keyring is here"
apt-get indextargets --format '$(ORIGIN) $(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    sort -u | while read -r origin site release component; do
    case $origin in
    Debian | Ubuntu)
        echo "deb [signed-by=$keyring] $site $release $component"
        echo "deb-src [signed-by=$keyring] $site $release $component"
        ;;
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

# -- OpenSSL, c-ares and expat --

private_apt download libssl-dev libc-ares-dev libexpat1-dev >"$work/fetch.log" 2>&1 ||
    { tail -5 "$work/fetch.log" >&2; fail "OpenSSL, c-ares and expat cannot be fetched"; }
for package in "$work"/*.deb; do
    dpkg-deb -x "$package" "$work/root"
done
cp "$work/root/usr/lib/$triplet"/*.a "$folder/lib/"
cp -r "$work/root/usr/include/openssl" "$work/root/usr/include"/*.h "$folder/include/"
cp -r "$work/root/usr/include/$triplet"/* "$folder/include/"

# -- cJSON --

cd "$work"/cjson-*/
$cc -O2 -ffunction-sections -fdata-sections -c cJSON.c -o "$work/cJSON.o"
ar rcs "$folder/lib/libcjson.a" "$work/cJSON.o"
cp cJSON.h "$folder/include/cjson/"

# -- libcurl --

cd "$work"/curl-*/
[ -x configure ] || fail "curl's source package has no configure"
./configure --host="$triplet" CC="$cc" CFLAGS='-O2 -ffunction-sections -fdata-sections' \
    PKG_CONFIG=false CPPFLAGS="-I$folder/include" LDFLAGS="-L$folder/lib" \
    LIBS='-lssl -lcrypto -pthread -ldl' --prefix="$folder" --disable-shared \
    --enable-static --with-openssl="$folder" --enable-ares="$folder" \
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
    { tail -5 "$work/configure.log" >&2; fail "curl cannot be configured"; }
make -s -C lib -j2 install >"$work/make.log" 2>&1 ||
    { tail -5 "$work/make.log" >&2; fail "libcurl cannot be compiled"; }
make -s -C include install >>"$work/make.log" 2>&1

# -- libpq --

cd "$work"/postgresql-*/
./configure --host="$triplet" CC="$cc" CFLAGS='-O2 -ffunction-sections -fdata-sections' \
    CPPFLAGS="-I$folder/include" LDFLAGS="-L$folder/lib" LIBS='-pthread -ldl' \
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
