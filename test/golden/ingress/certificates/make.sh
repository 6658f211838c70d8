#!/bin/sh
# Makes the certificates of the tests anew: valid from 2020 to 2120, so that no test depends on the day it runs.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
touch "$work/index.txt"
cat >"$work/ca.cnf" <<EOF
[ca]
default_ca = test
[test]
database = $work/index.txt
new_certs_dir = $work
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
EOF

# issue NAME SUBJECT ISSUER START END EXTENSION...: writes NAME.crt and NAME.key; signs with its own key when ISSUER is NAME.
issue() {
  name=$1 subject=$2 issuer=$3 start=$4 end=$5
  shift 5
  openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$name.key"
  printf '%s\n' "[extensions]" "$@" >"$work/$name.ext"
  openssl req -new -config "$work/ca.cnf" -key "$name.key" -subj "/CN=$subject" -out "$work/$name.csr"
  if [ "$issuer" = "$name" ]; then signer="-selfsign"; else signer="-cert $issuer.crt"; fi
  # shellcheck disable=SC2086
  openssl ca -batch -notext -config "$work/ca.cnf" -keyfile "$issuer.key" $signer -startdate "$start" -enddate "$end" \
    -extfile "$work/$name.ext" -extensions extensions -in "$work/$name.csr" -out "$name.crt" 2>/dev/null
}

from=20200101000000Z
to=21200101000000Z
issue root "Test Root" root $from $to "basicConstraints = critical,CA:TRUE" "keyUsage = critical,keyCertSign"
issue middle "Test Intermediate" root $from $to "basicConstraints = critical,CA:TRUE,pathlen:0" "keyUsage = critical,keyCertSign"
issue shop "shop.example.com" middle $from $to "subjectAltName = DNS:shop.example.com,DNS:*.shop.example.com"
issue wild "wild" wild $from $to "subjectAltName = DNS:*.example.com,DNS:example.com,IP:127.0.0.1"
issue legacy "legacy.example.com" legacy $from $to "basicConstraints = CA:FALSE"
issue brief "brief.example.com" brief $from 20200201000000Z "subjectAltName = DNS:brief.example.com"
