// thirdparty asks published implementations what they think of a log: the notes and proofs of golang.org/x/mod, which
// guard the Go checksum database, and the proofs of github.com/transparency-dev/merkle, of the Trillian family.
//
// It reads one JSON object a line and answers with one a line: {"ok": true, ...} or {"ok": false, "why": "..."}.
package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type question struct {
	Do     string   // checkpoint, inclusion, consistency, tiles
	Keys   []string // verifier keys
	Note   string   // the checkpoint
	Old    string   // consistency: the earlier checkpoint
	Index  int64    // inclusion
	Entry  []byte   // inclusion
	Hashes [][]byte // inclusion, consistency
	Folder string   // tiles: the tree's folder
	Size   int64    // tiles: of an earlier tree
}

type answer struct {
	OK          bool     `json:"ok"`
	Why         string   `json:"why,omitempty"`
	Origin      string   `json:"origin,omitempty"`
	Size        int64    `json:"size"`
	Signers     []string `json:"signers,omitempty"`
	Inclusion   [][]byte `json:"inclusion,omitempty"`
	Consistency [][]byte `json:"consistency,omitempty"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<26)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked question
		var said answer
		err := json.Unmarshal(lines.Bytes(), &asked)
		if err == nil {
			said, err = answered(asked)
		}
		if err != nil {
			said = answer{Why: err.Error()}
		}
		said.OK = err == nil
		if err := out.Encode(said); err != nil {
			panic(err)
		}
	}
}

func answered(asked question) (answer, error) {
	tree, said, err := opened(asked.Note, asked.Keys)
	if err != nil {
		return said, err
	}
	switch asked.Do {
	case "checkpoint":
		return said, nil
	case "inclusion":
		return said, inclusion(asked, tree)
	case "consistency":
		old, _, err := opened(asked.Old, asked.Keys)
		if err != nil {
			return said, err
		}
		return said, consistency(asked, old, tree)
	case "tiles":
		return tiles(asked, tree, said)
	}
	return said, fmt.Errorf("unknown question %q", asked.Do)
}

// opened has x/mod check the signatures of a note, and reads the checkpoint in it (c2sp.org/tlog-checkpoint).
func opened(text string, keys []string) (tlog.Tree, answer, error) {
	var known []note.Verifier
	for _, key := range keys {
		verifier, err := note.NewVerifier(key)
		if err != nil {
			verifier, err = newCosigner(key)
		}
		if err != nil {
			return tlog.Tree{}, answer{}, err
		}
		known = append(known, verifier)
	}
	found, err := note.Open([]byte(text), note.VerifierList(known...))
	if err != nil {
		return tlog.Tree{}, answer{}, err
	}
	lines := strings.Split(found.Text, "\n")
	if len(lines) < 4 {
		return tlog.Tree{}, answer{}, errors.New("not a checkpoint")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, answer{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return tlog.Tree{}, answer{}, err
	}
	said := answer{Origin: lines[0], Size: size}
	for _, signature := range found.Sigs {
		said.Signers = append(said.Signers, fmt.Sprintf("%s+%08x", signature.Name, signature.Hash))
	}
	return tlog.Tree{N: size, Hash: root}, said, nil
}

func inclusion(asked question, tree tlog.Tree) error {
	leaf := tlog.RecordHash(asked.Entry)
	ours := tlog.CheckRecord(hashes(asked.Hashes), tree.N, tree.Hash, asked.Index, leaf)
	theirs := proof.VerifyInclusion(
		rfc6962.DefaultHasher, uint64(asked.Index), uint64(tree.N), leaf[:], asked.Hashes, tree.Hash[:])
	return agreed(ours, theirs)
}

func consistency(asked question, old, tree tlog.Tree) error {
	ours := tlog.CheckTree(hashes(asked.Hashes), tree.N, tree.Hash, old.N, old.Hash)
	theirs := proof.VerifyConsistency(
		rfc6962.DefaultHasher, uint64(old.N), uint64(tree.N), asked.Hashes, old.Hash[:], tree.Hash[:])
	return agreed(ours, theirs)
}

// agreed is what both libraries say. Where they say different things there is no answer.
func agreed(one, other error) error {
	if (one == nil) != (other == nil) {
		panic(fmt.Sprintf("x/mod says %v, transparency-dev says %v", one, other))
	}
	return one
}

// tiles has x/mod read a log's tiles, check every hash against the root, and prove from them by itself.
func tiles(asked question, tree tlog.Tree, said answer) (answer, error) {
	reader := tlog.TileHashReader(tree, &folder{asked.Folder})
	for first := int64(0); first < tree.N; first += 256 {
		entries, err := bundle(asked.Folder, first/256, min(256, tree.N-first))
		if err != nil {
			return said, err
		}
		indexes := make([]int64, len(entries))
		for n := range entries {
			indexes[n] = tlog.StoredHashIndex(0, first+int64(n))
		}
		told, err := reader.ReadHashes(indexes)
		if err != nil {
			return said, err
		}
		for n, entry := range entries {
			if told[n] != tlog.RecordHash(entry) {
				return said, fmt.Errorf("entry %d is not what its tile says", first+int64(n))
			}
		}
	}
	if tree.N == 0 {
		return said, nil
	}
	record, err := tlog.ProveRecord(tree.N, asked.Index, reader)
	if err != nil {
		return said, err
	}
	said.Inclusion = raw(record)
	if asked.Size > 0 {
		grown, err := tlog.ProveTree(tree.N, asked.Size, reader)
		if err != nil {
			return said, err
		}
		said.Consistency = raw(grown)
	}
	return said, nil
}

// folder reads tiles by the names of c2sp.org/tlog-tiles, which are those of x/mod without the height.
type folder struct{ path string }

func (f *folder) Height() int                     { return 8 }
func (f *folder) SaveTiles([]tlog.Tile, [][]byte) {}
func (f *folder) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range wanted {
		data, err := os.ReadFile(filepath.Join(f.path, strings.Replace(tile.Path(), "tile/8/", "tile/", 1)))
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

func bundle(path string, n, width int64) ([][]byte, error) {
	name := strings.Replace(tlog.Tile{H: 8, L: 0, N: n, W: int(width)}.Path(), "tile/8/0/", "tile/entries/", 1)
	data, err := os.ReadFile(filepath.Join(path, name))
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("%s is not whole", name)
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		entries, data = append(entries, data[2:end]), data[end:]
	}
	if int64(len(entries)) != width {
		return nil, fmt.Errorf("%s has %d entries", name, len(entries))
	}
	return entries, nil
}

// cosigner checks timestamped signatures (c2sp.org/tlog-cosignature), which x/mod leaves to who knows them.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func newCosigner(text string) (*cosigner, error) {
	parts := strings.SplitN(text, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("malformed verifier key")
	}
	material, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(material) != 33 || material[0] != 4 {
		return nil, errors.New("malformed verifier key")
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), material...))
	if fmt.Sprintf("%x", sum[:4]) != parts[1] {
		return nil, errors.New("malformed verifier key")
	}
	return &cosigner{parts[0], binary.BigEndian.Uint32(sum[:4]), material[1:]}, nil
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }
func (c *cosigner) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	var signed bytes.Buffer
	fmt.Fprintf(&signed, "cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(signature), text)
	return ed25519.Verify(c.key, signed.Bytes(), signature[8:])
}

func hashes(raw [][]byte) []tlog.Hash {
	found := make([]tlog.Hash, len(raw))
	for n, each := range raw {
		copy(found[n][:], each)
	}
	return found
}

func raw(found []tlog.Hash) [][]byte {
	told := make([][]byte, len(found))
	for n := range found {
		told[n] = found[n][:]
	}
	return told
}

func min(a, b int64) int64 {
	if a < b {
		return a
	}
	return b
}
