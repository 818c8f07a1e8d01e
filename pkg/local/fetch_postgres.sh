# PostgreSQL 17 with pgvector from Debian 13's packages, unpacked into a folder of our own: for hosts whose
# own packages lack pgvector. Needs no root, and leaves the system's apt and dpkg alone. Its programs bring
# the C library that they were built for.
#
# usage: sh -s FOLDER FINAL      fills FOLDER/root, which is to be moved to FINAL/root
set -eu
folder=$1
apt=$folder/apt
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
fail() {
    echo "$1" >&2
    exit 1
}
command -v apt-get >/dev/null || fail "there is no apt-get here: install PostgreSQL and pgvector yourself"
[ -e "$keyring" ] || fail "there is no $keyring here: install debian-archive-keyring"

# The mirror that the system's own sources name.
site=$(apt-get indextargets --format '$(ORIGIN) $(SITE)' 'Created-By: Packages' |
    sed -n 's/^Debian //p' | sort -u | grep -v security | head -n 1)
[ -n "$site" ] || fail "apt knows no mirror of Debian: run apt-get update"
security=$(apt-get indextargets --format '$(ORIGIN) $(SITE)' 'Created-By: Packages' |
    sed -n 's/^Debian //p' | sort -u | grep security | head -n 1)

mkdir -p "$apt/apt.conf.d" "$apt/preferences.d" "$apt/lists/partial" "$apt/cache/archives/partial" \
    "$folder/debs" "$folder/root"
: >"$apt/status"
echo "deb [signed-by=$keyring] $site trixie main" >"$apt/sources.list"
[ -z "$security" ] || echo "deb [signed-by=$keyring] $security trixie-security main" >>"$apt/sources.list"
architecture=$(dpkg --print-architecture)
cat >"$apt/apt.conf" <<END
Dir "$apt/"; Dir::State "$apt"; Dir::State::status "$apt/status"; Dir::Cache "$apt/cache";
Dir::Etc "$apt"; Acquire::Languages "none"; APT::Sandbox::User "";
APT::Architectures { "$architecture"; };
END
export APT_CONFIG="$apt/apt.conf"
apt-get -qq update || fail "the package lists of Debian 13 cannot be fetched"

wanted="postgresql-17 postgresql-17-pgvector postgresql-client-17 libpq5"
closure=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
    --no-replaces --no-enhances $wanted | grep '^[a-z]' | sort -u)
libraries=$(printf '%s\n' $closure | grep '^lib' | grep -vE \
    '^lib(perl|llvm|clang|z3|python|json-perl|io-pty|ipc-run|text-|debconf|pam-modules|semanage|selinux1-|sepol|db5|gdbm|locale)|-perl$' || true)
cd "$folder/debs"
apt-get -qq download $wanted $libraries tzdata || fail "the packages of Debian 13 cannot be fetched"
for package in *.deb; do
    dpkg-deb -x "$package" "$folder/root"
done
rm -rf "$folder/debs" "$apt" "$folder/root/usr/lib/postgresql/17/lib/bitcode" \
    "$folder"/root/usr/lib/postgresql/17/lib/llvmjit*.so "$folder"/root/usr/share/doc \
    "$folder"/root/usr/share/man "$folder"/root/usr/share/locale

# Each program starts by the loader and the libraries that came with it.
programs=$folder/root/usr/lib/postgresql/17/bin
libraries=$(dirname "$(find "$folder/root/usr/lib" -name 'libc.so.6' | head -n 1)")
loader=$(find "$libraries" -name 'ld-linux*.so.*' | head -n 1)
[ -n "$loader" ] || loader=$(find "$folder/root" -name 'ld-linux*.so.*' | head -n 1)
mkdir -p "$programs/.real"
final=$2 # where the folder will be moved to
for program in postgres initdb pg_ctl psql pg_isready pg_dump pg_restore; do
    mv "$programs/$program" "$programs/.real/$program"
    here=$final${programs#"$folder"}
    cat >"$programs/$program" <<END
#!/bin/sh
exec "$final${loader#"$folder"}" --library-path "$final${libraries#"$folder"}" --argv0 "$here/$program" \\
    "$here/.real/$program" "\$@"
END
    chmod 755 "$programs/$program"
done
