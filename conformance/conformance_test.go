// Package conformance runs the official Gateway API conformance suite, as it was released, against whatever Kubernetes
// API the KUBECONFIG of its environment leads to. `npm run conformance` brings up that API: see README.md.
package conformance

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/gateway-api/conformance"
	"sigs.k8s.io/gateway-api/conformance/tests"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
	"sigs.k8s.io/gateway-api/pkg/features"
)

// TestConformance is the suite, with its own flags (go test ./... -args -help).
func TestConformance(t *testing.T) {
	if os.Getenv("KUBECONFIG") == "" {
		t.Skip("KUBECONFIG leads nowhere")
	}
	conformance.RunConformance(t)
}

type test struct {
	Name        string                 `json:"name"`
	Features    []features.FeatureName `json:"features"`
	Provisional bool                   `json:"provisional"`
	Parallel    bool                   `json:"parallel"`
}

type profile struct {
	Name     suite.ConformanceProfileName `json:"name"`
	Core     []features.FeatureName       `json:"core"`
	Extended []features.FeatureName       `json:"extended"`
}

// TestCatalog writes which tests the suite has, and which features its profiles have, to the file that CATALOG names.
// The report of a run says neither which test belongs to which feature nor how the parallel tests ended.
func TestCatalog(t *testing.T) {
	file := os.Getenv("CATALOG")
	if file == "" {
		t.Skip("CATALOG names no file")
	}
	var catalog struct {
		Tests    []test    `json:"tests"`
		Profiles []profile `json:"profiles"`
	}
	for _, each := range tests.ConformanceTests {
		catalog.Tests = append(catalog.Tests, test{each.ShortName, slices.Sorted(slices.Values(each.Features)), each.Provisional, each.Parallel})
	}
	slices.SortFunc(catalog.Tests, func(a, b test) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	for _, each := range []suite.ConformanceProfile{
		suite.GatewayHTTPConformanceProfile,
		suite.GatewayGRPCConformanceProfile,
		suite.GatewayTLSConformanceProfile,
		suite.GatewayTCPConformanceProfile,
		suite.GatewayUDPConformanceProfile,
	} {
		catalog.Profiles = append(catalog.Profiles, profile{each.Name, sorted(each.CoreFeatures), sorted(each.ExtendedFeatures)})
	}
	text, err := json.MarshalIndent(catalog, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

func sorted(names sets.Set[features.FeatureName]) []features.FeatureName {
	return sets.List(names)
}
